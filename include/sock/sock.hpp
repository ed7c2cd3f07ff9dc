#pragma once

// The whole public C++ API.

#include "sock/check.hpp"
#include "sock/checkpoint.hpp"
#include "sock/container.hpp"
#include "sock/fd.hpp"
#include "sock/host.hpp"
#include "sock/image.hpp"
#include "sock/import_cache.hpp"
#include "sock/import_tree.hpp"
#include "sock/package_cache.hpp"
#include "sock/prefetch.hpp"
#include "sock/result.hpp"
#include "sock/seccomp.hpp"
#include "sock/spec.hpp"
#include "sock/unsafe.hpp"
#include "sock/zygote.hpp"
#include "sock/zygote_plan.hpp"
