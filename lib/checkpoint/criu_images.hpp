#pragma once

// The three kinds of CRIU's images that this library changes: the memory areas of a process, where
// its pages are, and the table of files. Each is a file of two magic words and messages with their
// lengths. What is not known of a message is kept as it is. Pure.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

namespace sock::checkpoint {

/// A memory area as CRIU makes it anew.
struct CriuArea {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t offset;  ///< In its file, in bytes.
  std::uint64_t file;    ///< Its number in the table of files.
  std::uint32_t protection;
  std::uint32_t flags;                     ///< As for mmap().
  std::uint32_t kind;                      ///< criu_area::
  std::uint64_t advice = 0;                ///< A bit for each MADV_ number.
  std::optional<std::uint32_t> open = {};  ///< How its file is opened: O_
  std::size_t like = 0;                    ///< The one of the image whose unknown fields it has.

  [[nodiscard]] std::uint64_t size() const noexcept { return end - begin; }
  friend bool operator==(const CriuArea&, const CriuArea&) = default;
};

namespace criu_area {
inline constexpr std::uint32_t regular = 1U << 0U;
inline constexpr std::uint32_t heap = 1U << 5U;
inline constexpr std::uint32_t file_private = 1U << 6U;
inline constexpr std::uint32_t anonymous_private = 1U << 9U;
inline constexpr std::uint32_t guard = 1U << 16U;  ///< MADV_GUARD_INSTALL, within another area.
}  // namespace criu_area

/// mm-PID.img. Move-only.
class CriuMemory {
 public:
  /// On failure: Errc::corrupt. `what` is in errors.
  static Result<CriuMemory> parse(std::string_view bytes, const std::string& what);
  CriuMemory(CriuMemory&&) noexcept;
  CriuMemory& operator=(CriuMemory&&) noexcept;
  ~CriuMemory();

  [[nodiscard]] std::vector<CriuArea> areas() const;
  [[nodiscard]] std::uint32_t program() const;  ///< The number of its file.
  /// The image with other areas.
  [[nodiscard]] std::string with(const std::vector<CriuArea>& areas) const;

 private:
  struct Message;
  explicit CriuMemory(std::unique_ptr<Message>) noexcept;
  std::unique_ptr<Message> message_;
};

/// Neighbouring pages, which lie in the file of pages as they come in the list.
struct CriuPages {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint32_t flags;
  friend bool operator==(const CriuPages&, const CriuPages&) = default;
};

/// pagemap-PID.img
struct CriuPageMap {
  std::uint32_t file = 0;  ///< Of `pages-N.img`.
  std::vector<CriuPages> pages = {};
  std::uint32_t magic = 0;
  bool has_short_counts = false;  ///< As CRIU before 4.0 writes them.

  /// On failure: Errc::corrupt; Errc::unsupported for pages that are not in the file, or fields
  /// that are not known.
  static Result<CriuPageMap> parse(std::string_view bytes, const std::string& what);
  [[nodiscard]] std::string to_bytes() const;
};

/// files.img. Move-only.
class CriuFiles {
 public:
  static Result<CriuFiles> parse(std::string_view bytes, const std::string& what);
  CriuFiles(CriuFiles&&) noexcept;
  CriuFiles& operator=(CriuFiles&&) noexcept;
  ~CriuFiles();

  /// Of a regular file; empty if there is none of this number.
  [[nodiscard]] std::string name_of(std::uint64_t number) const;
  /// Of one that CRIU is given; nothing if there is none of this name.
  [[nodiscard]] std::optional<std::uint32_t> external(std::string_view name) const;
  /// This one and all above it.
  [[nodiscard]] std::uint32_t free_number() const;
  /// One more that it is given.
  void add_external(std::uint32_t number, const std::string& name);
  [[nodiscard]] std::string to_bytes() const;

 private:
  struct Messages;
  explicit CriuFiles(std::unique_ptr<Messages>) noexcept;
  std::unique_ptr<Messages> messages_;
};

}  // namespace sock::checkpoint
