#include "isa/errors.hpp"

#include <cstdio>
#include <cstdlib>

namespace npu {

void assertion_failed(const char* expression, const char* file, int line, const char* message) {
  fmt::print(stderr, "npusim: internal error: {} ({}) at {}:{}\n", message, expression, file, line);
  std::abort();
}

}  // namespace npu
