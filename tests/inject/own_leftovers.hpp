#pragma once

// What a process has that nobody sees from outside, or that its end hides: open descriptors, and
// children that it has not reaped.

#include <string>
#include <vector>

namespace sock::test {

class OwnLeftovers {
 public:
  OwnLeftovers();  ///< Remembers what there is now.
  /// What there is now and was not then; empty when there is nothing. Makes two system calls that
  /// the library does not make; where the test lets them fail, nothing is found.
  [[nodiscard]] std::string find() const;

 private:
  std::vector<bool> before_;
};

}  // namespace sock::test
