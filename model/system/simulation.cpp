#include "model/system/simulation.hpp"

#include <systemc>

namespace npu::model {

void prepare_simulation() {
  static bool prepared = false;
  if (prepared) return;
  prepared = true;
  sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
  sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_THROW);
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
}

}  // namespace npu::model
