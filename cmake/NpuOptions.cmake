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
  # Before 16, Clang knows no std::source_location. What it does not know of g++'s options and pragmas is no finding.
  find_program(CLANG_TIDY NAMES clang-tidy-19 clang-tidy-18 clang-tidy-17 clang-tidy-16 REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY "${CLANG_TIDY}" --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unknown-pragmas
    --extra-arg=-Wno-ignored-attributes --extra-arg=-Wno-ambiguous-reversed-operator)
endif()
