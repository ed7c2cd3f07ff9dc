// lib/base/precompiled.hpp, and GoogleTest.

#include <gtest/gtest.h>

#include "../../lib/base/precompiled.hpp"
