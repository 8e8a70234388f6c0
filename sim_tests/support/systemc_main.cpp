// Test main of suites that simulate. One case runs per process (ctest starts each alone): SystemC elaborates once.
#include <systemc>

#include "model/system/simulation.hpp"
#include "sim_tests/support/catch_runner.hpp"

int sc_main(int argc, char* argv[]) {
  npu::model::prepare_simulation();
  return npu::test::run_cases(argc, argv);
}
