# Installs the project and builds and runs the program of examples/library against what was installed.
# cmake -DBUILD=... -DSOURCE=... -DFOLDER=... -DGENERATOR=... -DCOMPILER=... -P install_test.cmake

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT code EQUAL 0)
        message(FATAL_ERROR "${ARGN} ended with ${code}:\n${output}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${FOLDER})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${FOLDER}/installed)
run(${CMAKE_COMMAND} -S ${SOURCE}/examples/library -B ${FOLDER}/build -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${FOLDER}/installed)
run(${CMAKE_COMMAND} --build ${FOLDER}/build)
run(${CMAKE_COMMAND} -E chdir ${FOLDER} ${FOLDER}/build/nearest)
if(NOT output MATCHES "row 7, cosine 1\\.000")
    message(FATAL_ERROR "the example did not find the row it asked with:\n${output}")
endif()
