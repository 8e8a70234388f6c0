# Cases that the oracle beside the golden files makes while the tests run, and cases that npusim makes and checks by
# itself. All at tiny size.

# Debian's interpreter has Debian's numpy; another one first in PATH may not.
find_program(NPU_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(NPU_PYTHON NAMES python3 REQUIRED)
set(npu_cases_dir "${CMAKE_CURRENT_BINARY_DIR}/cases")
file(MAKE_DIRECTORY "${npu_cases_dir}")

# Other ranks, tokens, batches, styles and seeds:
# npu_add_oracle_runs(<case> <layer> <ranks> <seed> [STYLE upstream|stress] [SET key=value ...] WORKLOADS ...)
function(npu_add_oracle_runs case layer ranks seed)
  cmake_parse_arguments(ARG "" "STYLE" "SET;WORKLOADS" ${ARGN})
  if(NOT ARG_STYLE)
    set(ARG_STYLE stress)
  endif()
  set(file "${npu_cases_dir}/${case}.safetensors")
  add_test(NAME oracle/${case} COMMAND "${NPU_PYTHON}" "${NPU_GOLDENS_DIR}/decode_oracle.py" gen --preset tiny
    --style ${ARG_STYLE} --layer ${layer} --ranks ${ranks} --seed ${seed} --out "${file}" --set ${ARG_SET})
  set_tests_properties(oracle/${case} PROPERTIES TIMEOUT 120 LABELS slow FIXTURES_SETUP ${case}
    ENVIRONMENT OPENBLAS_NUM_THREADS=1)
  foreach(workload IN LISTS ARG_WORKLOADS)
    set(test npusim/${workload}/${case})
    add_test(NAME ${test} COMMAND npusim run ${workload} --data "${file}"
      --out "${CMAKE_CURRENT_BINARY_DIR}/runs/${workload}-${case}")
    set_tests_properties(${test} PROPERTIES TIMEOUT 120 LABELS slow FIXTURES_REQUIRED ${case})
  endforeach()
endfunction()
npu_add_oracle_runs(ep1-swa 1 1 11 WORKLOADS decode-layer)
npu_add_oracle_runs(ep1-hca 3 1 12 WORKLOADS decode-layer)
npu_add_oracle_runs(ep1-csa 4 1 13 WORKLOADS decode-layer)
npu_add_oracle_runs(ep4-swa 0 4 21 SET recv_max=96 WORKLOADS decode-layer)
npu_add_oracle_runs(ep4-hca 5 4 22 WORKLOADS decode-layer attention-hca compressor128)
npu_add_oracle_runs(ep4-csa 6 4 23 WORKLOADS decode-layer attention-csa compressor4 indexer)
npu_add_oracle_runs(ep8-swa 1 8 31 SET recv_max=128 WORKLOADS decode-layer)
npu_add_oracle_runs(ep8-hca 7 8 32 WORKLOADS decode-layer)
npu_add_oracle_runs(ep8-csa 2 8 33 SET recv_max=96 WORKLOADS decode-layer)
npu_add_oracle_runs(s1-swa 0 2 41 SET S=1 WORKLOADS decode-layer)
npu_add_oracle_runs(s1-hca 3 2 42 SET S=1 WORKLOADS decode-layer attention-hca compressor128)
npu_add_oracle_runs(s1-csa 2 2 43 SET S=1 WORKLOADS decode-layer attention-csa compressor4 indexer)
npu_add_oracle_runs(b3-swa 1 2 51 SET B=3 WORKLOADS decode-layer)
npu_add_oracle_runs(b3-hca 9 2 52 SET B=3 WORKLOADS decode-layer attention-hca)
npu_add_oracle_runs(b3-csa 8 2 53 SET B=3 WORKLOADS decode-layer attention-csa)
# Every stage on its own, by upstream's strict rules, at other seeds, styles, layers, tokens and ranks.
npu_add_oracle_runs(stages-swa 1 1 61 SET S=4 recv_max=128 WORKLOADS attention-swa ${stages})
npu_add_oracle_runs(stages-hca 11 4 62 STYLE upstream SET S=1 recv_max=96 WORKLOADS attention-hca compressor128 ${stages})
npu_add_oracle_runs(stages-csa 42 2 63 SET S=4 recv_max=64 WORKLOADS attention-csa compressor4 indexer ${stages})

# npu_add_generated_run(<name> <flags> ...): inputs and expected results by npusim.
function(npu_add_generated_run name)
  add_test(NAME npusim/generated/${name} COMMAND npusim run decode-layer --preset tiny ${ARGN}
    --out "${CMAKE_CURRENT_BINARY_DIR}/runs/generated-${name}")
  set_tests_properties(npusim/generated/${name} PROPERTIES TIMEOUT 120 LABELS slow)
endfunction()
# Positions: the last slot of the ring and its first; windows that the first and the second token complete.
npu_add_generated_run(ring-wrap --layer-id 0 --start-pos 15 --seed 1)
npu_add_generated_run(second-token-completes-128 --layer-id 3 --start-pos 126 --seed 2)
npu_add_generated_run(one-token-completes-128 --layer-id 3 --start-pos 127 --seq 1 --ep 4 --seed 3)
npu_add_generated_run(second-window-128 --layer-id 5 --start-pos 255 --batch 5 --seed 4)
npu_add_generated_run(first-window-4 --layer-id 2 --start-pos 3 --seed 5)
npu_add_generated_run(one-token-completes-4 --layer-id 4 --start-pos 47 --seq 1 --ep 1 --seed 6)
npu_add_generated_run(between-windows-4 --layer-id 10 --start-pos 16 --batch 11 --ep 4 --seed 7)
npu_add_generated_run(ring-wrap-4 --layer-id 10 --start-pos 31 --seed 8)
npu_add_generated_run(all-experts --layer-id 4 --ep 4 --all-experts --seed 9)
npu_add_generated_run(one-request --layer-id 10 --batch 1 --seq 1 --seed 10)
