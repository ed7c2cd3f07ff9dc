#pragma once

// A tar file taken apart, changed, and put together again: what nobody's tar would write.

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace sock::test {

struct TarMember {
  std::string header;  ///< One block.
  std::string data;    ///< With its padding.

  [[nodiscard]] std::string name() const { return {header.c_str()}; }
  [[nodiscard]] char type() const { return header[156]; }
  TarMember& set_name(const std::string& name) { return set(0, 100, name); }
  TarMember& set_link(const std::string& target) { return set(157, 100, target); }
  TarMember& set_type(char type) { return set(156, 1, {type}); }
  TarMember& set_owner(unsigned id) { return set_number(108, id).set_number(116, id); }
  TarMember& set_mode(unsigned mode) { return set_number(100, mode); }
  /// What the header says; the data stays.
  TarMember& set_size(std::uint64_t size) {
    char digits[13];
    std::snprintf(digits, sizeof digits, "%011llo", static_cast<unsigned long long>(size));
    return set(124, 12, {digits, 11});
  }
  TarMember& set_data(const std::string& content) {
    constexpr std::size_t block = 512;
    data = content;
    data.resize((content.size() + block - 1) / block * block);
    return set_size(content.size());
  }
  [[nodiscard]] std::uint64_t size() const {
    return std::stoull(header.substr(124, 11), nullptr, 8);
  }

 private:
  TarMember& set_number(std::size_t offset, unsigned number) {
    char digits[8];
    std::snprintf(digits, sizeof digits, "%07o", number);
    return set(offset, 8, {digits, 7});
  }
  TarMember& set(std::size_t offset, std::size_t size, const std::string& text) {
    header.replace(offset, size, std::string(size, '\0'));
    header.replace(offset, text.size(), text);
    header.replace(148, 8, "        ");
    unsigned sum = 0;
    for (const unsigned char byte : header) sum += byte;
    char digits[8];
    std::snprintf(digits, sizeof digits, "%06o", sum);
    header.replace(148, 7, std::string(digits, 7));
    return *this;
  }
};

using TarFile = std::vector<TarMember>;

/// Of plain members, with sizes in digits, as far as they go.
inline TarFile read_tar(const std::string& bytes) {
  constexpr std::size_t block = 512;
  TarFile members;
  for (std::size_t at = 0; at + block <= bytes.size() && bytes[at] != '\0';) {
    TarMember member{.header = bytes.substr(at, block), .data = {}};
    const auto size = (member.size() + block - 1) / block * block;
    member.data = bytes.substr(at + block, size);
    at += block + size;
    members.push_back(std::move(member));
  }
  return members;
}

inline std::string to_bytes(const TarFile& members) {
  std::string bytes;
  for (const auto& member : members) bytes += member.header + member.data;
  return bytes + std::string(1024, '\0');
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::trunc | std::ios::binary} << bytes;
}

}  // namespace sock::test
