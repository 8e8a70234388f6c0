#include "model/system/simulation.hpp"

#include <systemc>

#ifdef __SANITIZE_ADDRESS__
#include <dlfcn.h>
#include <pthread.h>

// SystemC 2.3.4 announces every switch between the stacks of its threads to the address sanitizer, but names no stack
// when it returns to the program's own. The sanitizer then takes that one for empty, cannot clear its marks after an
// exception, and reports errors that are none. This takes the place of the function that SystemC calls, and names it.
// (The switch from a thread that ends is not announced at all: none of this project's threads ends while time goes on.)
extern "C" void __sanitizer_start_switch_fiber(void** saved, const void* bottom, std::size_t bytes) {
  static const auto announce =
      reinterpret_cast<void (*)(void**, const void*, std::size_t)>(dlsym(RTLD_NEXT, "__sanitizer_start_switch_fiber"));
  if (bottom != nullptr) return announce(saved, bottom, bytes);
  pthread_attr_t own;
  void* own_bottom = nullptr;
  if (pthread_getattr_np(pthread_self(), &own) == 0) {
    pthread_attr_getstack(&own, &own_bottom, &bytes);
    pthread_attr_destroy(&own);
  }
  announce(saved, own_bottom, bytes);
}
#endif

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
