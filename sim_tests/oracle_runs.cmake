# Cases that the oracle beside the golden files makes while the tests run, with roundings where a device has them, and
# cases that npusim makes and checks by itself. All at tiny size.

# Debian's interpreter has Debian's numpy; another one first in PATH may not.
find_program(NPU_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(NPU_PYTHON NAMES python3 REQUIRED)
set(npu_cases_dir "${CMAKE_CURRENT_BINARY_DIR}/cases")
file(MAKE_DIRECTORY "${npu_cases_dir}")

# npu_add_oracle_test(<case> <arguments of the oracle> ...): writes the file of the case.
function(npu_add_oracle_test case)
  add_test(NAME oracle/${case} COMMAND "${NPU_PYTHON}" "${NPU_GOLDENS_DIR}/decode_oracle.py" ${ARGN}
    --numerics device --out "${npu_cases_dir}/${case}.safetensors")
  set_tests_properties(oracle/${case} PROPERTIES TIMEOUT 120 LABELS slow FIXTURES_SETUP ${case}
    ENVIRONMENT OPENBLAS_NUM_THREADS=1)
endfunction()
function(npu_add_case_runs case)
  foreach(workload IN LISTS ARGN)
    set(test npusim/${workload}/${case})
    add_test(NAME ${test} COMMAND npusim run ${workload} --data "${npu_cases_dir}/${case}.safetensors"
      --out "${CMAKE_CURRENT_BINARY_DIR}/runs/${workload}-${case}")
    set_tests_properties(${test} PROPERTIES TIMEOUT 120 LABELS slow FIXTURES_REQUIRED ${case})
  endforeach()
endfunction()

# Other ranks, tokens, batches and seeds: npu_add_oracle_runs(<case> <layer> <ranks> <seed> [SET key=value] WORKLOADS ...)
function(npu_add_oracle_runs case layer ranks seed)
  cmake_parse_arguments(ARG "" "SET" "WORKLOADS" ${ARGN})
  npu_add_oracle_test(${case} gen --preset tiny --style stress --layer ${layer} --ranks ${ranks} --seed ${seed}
    --set ${ARG_SET})
  npu_add_case_runs(${case} ${ARG_WORKLOADS})
endfunction()
npu_add_oracle_runs(ep1-swa 1 1 11 WORKLOADS decode-layer)
npu_add_oracle_runs(ep1-hca 3 1 12 WORKLOADS decode-layer)
npu_add_oracle_runs(ep1-csa 4 1 13 WORKLOADS decode-layer)
npu_add_oracle_runs(ep4-swa 0 4 21 SET recv_max=96 WORKLOADS decode-layer)
npu_add_oracle_runs(ep4-hca 5 4 22 WORKLOADS decode-layer compressor128)
npu_add_oracle_runs(ep4-csa 6 4 23 WORKLOADS decode-layer compressor4 indexer)
npu_add_oracle_runs(ep8-swa 1 8 31 SET recv_max=128 WORKLOADS decode-layer)
npu_add_oracle_runs(ep8-hca 7 8 32 WORKLOADS decode-layer)
npu_add_oracle_runs(ep8-csa 2 8 33 SET recv_max=96 WORKLOADS decode-layer)
npu_add_oracle_runs(s1-swa 0 2 41 SET S=1 WORKLOADS decode-layer)
npu_add_oracle_runs(s1-hca 3 2 42 SET S=1 WORKLOADS decode-layer compressor128)
npu_add_oracle_runs(s1-csa 2 2 43 SET S=1 WORKLOADS decode-layer compressor4 indexer)
npu_add_oracle_runs(b3-swa 1 2 51 SET B=3 WORKLOADS decode-layer)
npu_add_oracle_runs(b3-hca 9 2 52 SET B=3 WORKLOADS decode-layer attention-hca)
npu_add_oracle_runs(b3-csa 8 2 53 SET B=3 WORKLOADS decode-layer attention-csa)

# The inputs of golden files whose expected results have other roundings than a device: stage tolerances count them as
# errors there, int8 values flip (an oracle with a device's roundings has as many).
foreach(golden IN ITEMS tiny-stress-L0 tiny-stress-L3 tiny-L10 tiny-stress-L10)
  npu_add_oracle_test(device-${golden} run "${NPU_GOLDENS_DIR}/${golden}.safetensors")
endforeach()
npu_add_case_runs(device-tiny-stress-L0 attention-swa)
npu_add_case_runs(device-tiny-stress-L3 attention-hca)
npu_add_case_runs(device-tiny-L10 attention-csa)
npu_add_case_runs(device-tiny-stress-L10 attention-csa indexer)

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
