# npu_embed_machines(<target> <platform> ...): compiles model/machines/<platform>.toml into the library, so that the
# binary needs no files beside it. The generated source lies in the build tree and follows the .toml.
function(npu_embed_machines target)
  set(NPU_MACHINE_TEXTS "")
  foreach(platform IN LISTS ARGN)
    set(file "${CMAKE_CURRENT_SOURCE_DIR}/machines/${platform}.toml")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(READ "${file}" text)
    string(APPEND NPU_MACHINE_TEXTS "    {\"${platform}\", R\"machine(${text})machine\"},\n")
  endforeach()
  list(LENGTH ARGN NPU_MACHINE_COUNT)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/shipped_machines.cpp")
  configure_file("${CMAKE_CURRENT_SOURCE_DIR}/machines/shipped_machines.cpp.in" "${source}" @ONLY)
  target_sources(${target} PRIVATE "${source}")
endfunction()

# npu_embed_anchors(<target> <file>): compiles the anchors of `validate` into the library.
function(npu_embed_anchors target file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(READ "${file}" NPU_ANCHORS)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/shipped_anchors.cpp")
  configure_file("${CMAKE_CURRENT_SOURCE_DIR}/validate/shipped_anchors.cpp.in" "${source}" @ONLY)
  target_sources(${target} PRIVATE "${source}")
endfunction()
