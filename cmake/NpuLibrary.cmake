# npu_add_library(<layer> SOURCES ... HEADERS ... DEPENDS <public> PRIVATE_DEPENDS <private> PRECOMPILED <headers>)
# One static library per folder; its dependencies are the layer diagram of the README.
#
# Every header compiles alone. Of a header beside its source the source is the proof, for it includes the header before
# anything else (sim_tests/architecture checks that); the others are compiled by all_verify_interface_header_sets.
# PRECOMPILED serves sanitized builds alone: elsewhere every source shows that it includes what it needs.
function(npu_add_library layer)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE_DEPENDS;PRECOMPILED" ${ARGN})
  add_library(npu_${layer} STATIC ${ARG_SOURCES})
  add_library(npu::${layer} ALIAS npu_${layer})
  set(proved "")
  set(headers "")
  foreach(header IN LISTS ARG_HEADERS)
    string(REGEX REPLACE "hpp$" "cpp" source "${header}")
    if(source IN_LIST ARG_SOURCES)
      list(APPEND proved "${header}")
    else()
      list(APPEND headers "${header}")
    endif()
  endforeach()
  target_sources(npu_${layer} PUBLIC
    FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${headers}
    FILE_SET proved_headers TYPE HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${proved})
  set_target_properties(npu_${layer} PROPERTIES INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)
  target_link_libraries(npu_${layer} PUBLIC npu_options ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  if(NPU_SANITIZE)
    target_precompile_headers(npu_${layer} PRIVATE
      <algorithm> <functional> <map> <memory> <optional> <string> <vector> <fmt/format.h> ${ARG_PRECOMPILED})
  endif()
endfunction()
