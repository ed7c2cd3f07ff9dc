#pragma once

// Where a runtime (zygote/python, zygote/native) is in a root that needs it.

namespace sock::zygote {

inline constexpr const char* runtime_target = "/sock";

}  // namespace sock::zygote
