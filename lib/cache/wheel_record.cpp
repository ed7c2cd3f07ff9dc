// RECORD, as PEP 376 and PEP 427 define it.

#include "cache/wheel_record.hpp"

#include <array>
#include <charconv>

#include <nettle/base64.h>
#include <nettle/sha2.h>

#include "base/try.hpp"
#include "store/stage.hpp"

namespace sock::cache {
namespace {

constexpr std::string_view subject = "RECORD";

std::unexpected<Error> damaged(std::string_view why) {
  return store::corrupt(std::string{subject}, std::string{why});
}

/// One field after another; a line break inside of quotes belongs to the field.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_{text} {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  Result<std::vector<std::string>> line() {
    std::vector<std::string> fields;
    for (;;) {
      fields.push_back(SOCK_TRY(field()));
      if (rest_.starts_with(',')) {
        rest_.remove_prefix(1);
        continue;
      }
      if (rest_.starts_with('\r')) rest_.remove_prefix(1);
      if (!rest_.empty() && rest_.front() != '\n') return damaged("text behind a quoted field");
      if (!rest_.empty()) rest_.remove_prefix(1);
      return fields;
    }
  }

 private:
  Result<std::string> field() {
    if (!rest_.starts_with('"')) {
      const auto text = rest_.substr(0, rest_.find_first_of(",\r\n"));
      rest_.remove_prefix(text.size());
      return std::string{text};
    }
    std::string text;
    for (rest_.remove_prefix(1);;) {
      const auto quote = rest_.find('"');
      if (quote == std::string_view::npos) return damaged("a quote without its end");
      text += rest_.substr(0, quote);
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) return text;
      text += '"';
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
};

}  // namespace

Result<std::vector<RecordedFile>> parse_wheel_record(std::string_view text) {
  std::vector<RecordedFile> files;
  for (Fields fields{text}; !fields.at_end();) {
    auto line = SOCK_TRY(fields.line());
    if (line.size() == 1 && line.front().empty()) continue;
    if (line.size() != 3 || line[0].empty()) return damaged("a line that is not PATH,HASH,SIZE");
    RecordedFile file{.path = std::move(line[0]), .hash = std::move(line[1])};
    if (!line[2].empty()) {
      std::uint64_t size = 0;
      const char* const last = line[2].data() + line[2].size();
      const auto [end, problem] = std::from_chars(line[2].data(), last, size);
      if (problem != std::errc{} || end != last) return damaged("a size that is no number");
      file.size = size;
    }
    files.push_back(std::move(file));
  }
  return files;
}

std::string recorded_hash(std::string_view hex) {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> raw{};
  for (std::size_t i = 0; i < raw.size() && 2 * i + 1 < hex.size(); ++i)
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, raw[i], 16);
  std::array<char, BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE)> text{};
  base64_encode_raw(text.data(), raw.size(), raw.data());
  std::string out = "sha256=";
  for (const char c : text) {
    if (c == '=') break;
    out += c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return out;
}

}  // namespace sock::cache
