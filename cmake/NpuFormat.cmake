# Targets `format` (rewrites the sources in the project's style), `format_check` (names what differs) and `tidy` (clang-tidy
# with the compiler, in a build tree of its own). The style is that of clang-format 14, Debian 12's.
set(formatted_sources "")
foreach(layer isa traces model kernels orchestration sim_tests bench)
  file(GLOB_RECURSE layer_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${layer}/*.[ch]pp")
  list(APPEND formatted_sources ${layer_sources})
endforeach()
find_program(CLANG_FORMAT NAMES clang-format-14 clang-format)
if(CLANG_FORMAT)
  add_custom_target(format COMMAND "${CLANG_FORMAT}" -i ${formatted_sources} COMMENT "formatting the sources" VERBATIM)
  add_custom_target(format_check COMMAND "${CLANG_FORMAT}" --dry-run -Werror ${formatted_sources}
    COMMENT "checking the format of the sources" VERBATIM)
else()
  foreach(target format format_check)
    add_custom_target(${target} COMMAND "${CMAKE_COMMAND}" -E echo "needs clang-format 14: .ci/install brings it"
      COMMAND "${CMAKE_COMMAND}" -E false)
  endforeach()
endif()
add_custom_target(tidy COMMAND "${CMAKE_COMMAND}" --workflow --preset tidy WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" VERBATIM)
