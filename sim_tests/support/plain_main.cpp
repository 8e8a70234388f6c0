// Test main of suites that do not simulate.
#include "sim_tests/support/catch_runner.hpp"

int main(int argc, char* argv[]) { return npu::test::run_cases(argc, argv); }
