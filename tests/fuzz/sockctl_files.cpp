// Files that sockctl reads: a container's log, and the status of a process.
// Input: which of them, then its text.

#include "input.hpp"
#include "sockctl/log_writer.hpp"
#include "sockctl/process_files.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockctl;
  sock::fuzz::Input input{data, size};
  LogEntry entry;
  switch (input.choice(3)) {
    case 0:
      static_cast<void>(read_log_entry(input.rest(), entry));
      break;
    case 1: {  // Whatever a payload writes comes back as it was.
      const std::string line = log_entry("2026-01-01T00:00:00.000000Z", "out", input.rest());
      sock::fuzz::expect(line.find('\n') == line.size() - 1, "an entry is one line");
      sock::fuzz::expect(read_log_entry(line, entry) && entry.data == input.rest(),
                         "an entry holds what was written");
      break;
    }
    default:
      static_cast<void>(
          handles_signal(input.rest(), 1 + static_cast<int>(input.rest().size() % 64)));
  }
  return 0;
}
