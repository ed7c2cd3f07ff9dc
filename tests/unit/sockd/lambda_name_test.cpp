// Functions as AWS' clients name them.

#include "sockd/lambda_name.hpp"

#include <gtest/gtest.h>

namespace sockd {
namespace {

TEST(LambdaName, IsInTheMidstOfLongerOnes) {
  for (const char* const part :
       {"f", "f:1", "f:$LATEST", "f%3A1", "f%3a%24LATEST", "000000000000:function:f",
        "arn:aws:lambda:eu-west-1:000000000000:function:f",
        "arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Af%3A%24LATEST"})
    EXPECT_EQ(lambda_name(part), "f") << part;
}

TEST(LambdaName, KeepsWhatIsNoEscape) {
  for (const char* const part : {"", "%", "%3", "f%", "f%3", "f%zz", "%-1f", "% 3a"})
    EXPECT_EQ(lambda_name(part), part);
  EXPECT_EQ(lambda_name("%2e%2e%2f"), "../");
  EXPECT_EQ(lambda_name("%253A"), "%3A");
}

}  // namespace
}  // namespace sockd
