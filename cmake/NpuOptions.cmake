# npu_options: how every target of the project is compiled.
add_library(npu_options INTERFACE)
target_compile_options(npu_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Werror
  # g++ 12 at -O3 takes `"text" + string` for overlapping copies (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # A contraction of a*b+c into fma would change results between hosts: fma appears only where the code asks for it.
  -ffp-contract=off)
target_include_directories(npu_options INTERFACE "${PROJECT_SOURCE_DIR}")
if(NPU_SANITIZE)
  target_compile_options(npu_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(npu_options INTERFACE -fsanitize=address,undefined)
endif()
if(NPU_TIDY)
  find_program(CLANG_TIDY clang-tidy REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY "${CLANG_TIDY}")
endif()
