# npu_add_library(<layer> SOURCES ... HEADERS ... DEPENDS <public> PRIVATE_DEPENDS <private>)
# One static library per folder; its dependencies are the layer diagram of the README.
function(npu_add_library layer)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(npu_${layer} STATIC ${ARG_SOURCES})
  add_library(npu::${layer} ALIAS npu_${layer})
  target_sources(npu_${layer} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${ARG_HEADERS})
  target_link_libraries(npu_${layer} PUBLIC npu_options ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
endfunction()
