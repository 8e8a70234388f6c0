# Everything comes from Debian packages (.ci/install); nothing is downloaded.
find_package(PkgConfig REQUIRED)
pkg_check_modules(SYSTEMC REQUIRED IMPORTED_TARGET systemc)
find_package(fmt REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Catch2 2 REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)

# npu_systemc: the one place that knows how SystemC is found and which standard Debian built it with.
add_library(npu_systemc INTERFACE)
target_link_libraries(npu_systemc INTERFACE PkgConfig::SYSTEMC)
target_compile_definitions(npu_systemc INTERFACE SC_CPLUSPLUS=201703L)
get_target_property(_sc_includes PkgConfig::SYSTEMC INTERFACE_INCLUDE_DIRECTORIES)
if(_sc_includes)
  target_include_directories(npu_systemc SYSTEM INTERFACE ${_sc_includes})
endif()

add_library(npu_tomlplusplus INTERFACE)
target_include_directories(npu_tomlplusplus SYSTEM INTERFACE "${TOMLPLUSPLUS_INCLUDE_DIR}")
