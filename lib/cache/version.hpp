#pragma once

// Versions of Python packages, in the order of PEP 440. Pure.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sock::cache {

/// "1!2.0.1rc3.post4.dev5+local.6". Compares as the specification says: 1.0.dev1 < 1.0a1 < 1.0rc1 <
/// 1.0 == 1.0.0 < 1.0+x < 1.0.post1.
class Version {
 public:
  /// Empty for what is none.
  static std::optional<Version> parse(std::string_view text);

  [[nodiscard]] bool is_prerelease() const noexcept { return pre_.has_value() || dev_.has_value(); }
  /// The same without "+local".
  [[nodiscard]] Version without_local() const;
  /// Whether the release begins with that of `prefix`, as in "==1.4.*".
  [[nodiscard]] bool starts_with(const Version& prefix) const;
  /// "1.4" of "1.4.2": what "~=1.4.2" must begin with. Empty for a single number.
  [[nodiscard]] std::optional<Version> without_last_number() const;
  [[nodiscard]] bool has_post() const noexcept { return post_.has_value(); }
  [[nodiscard]] bool has_same_release(const Version& other) const;

  friend std::strong_ordering operator<=>(const Version& a, const Version& b);
  friend bool operator==(const Version& a, const Version& b) { return (a <=> b) == 0; }

 private:
  friend class VersionText;
  struct Pre {
    char phase;  ///< a, b or r
    std::uint64_t number;
    friend auto operator<=>(const Pre&, const Pre&) = default;
  };
  struct LocalPart {
    bool is_number;  ///< A number is after any text.
    std::uint64_t number;
    std::string text;
    friend auto operator<=>(const LocalPart&, const LocalPart&) = default;
  };
  std::uint64_t epoch_ = 0;
  std::vector<std::uint64_t> release_;
  std::optional<Pre> pre_;
  std::optional<std::uint64_t> post_;
  std::optional<std::uint64_t> dev_;
  std::vector<LocalPart> local_;
};

/// Any two texts: what is no version is before all that are.
std::strong_ordering compare_versions(std::string_view a, std::string_view b);

}  // namespace sock::cache
