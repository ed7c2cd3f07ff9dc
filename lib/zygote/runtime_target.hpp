#pragma once

// Where a runtime (zygote/python, zygote/native), and the restorer, are in a root that needs them.

namespace sock::zygote {

inline constexpr const char* runtime_target = "/sock";
inline constexpr const char* restorer_target = "/sock-restorer";

}  // namespace sock::zygote
