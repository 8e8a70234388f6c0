#include "sim_tests/support/catch_runner.hpp"

#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

namespace npu::test {

int run_cases(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }

}  // namespace npu::test
