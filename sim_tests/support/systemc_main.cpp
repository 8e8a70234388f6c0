// Test main of suites that simulate. One case runs per process (ctest starts each alone): SystemC elaborates once.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <systemc>

#include "model/system/simulation.hpp"

int sc_main(int argc, char* argv[]) {
  npu::model::prepare_simulation();
  return Catch::Session().run(argc, argv);
}
