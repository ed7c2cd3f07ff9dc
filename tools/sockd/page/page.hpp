#pragma once

// The status page: one file without anything from elsewhere, in the program itself.

#include "http_server.hpp"

namespace sockd {

HttpResponse status_page();

}  // namespace sockd
