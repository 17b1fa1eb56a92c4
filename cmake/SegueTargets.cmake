# One library, and at most two test programs, for each folder of src/.
include_guard()

# Options every target of this project gets: warnings, sanitizers, the include root.
add_library(segue_options INTERFACE)
target_compile_features(segue_options INTERFACE cxx_std_20)
target_include_directories(segue_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(segue_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wundef
    # GCC 12 sees overlapping and endless copies in "text" + std::string where there are none (GCC bug 105651).
    "$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow>"
    $<$<BOOL:${SEGUE_WARNINGS_AS_ERRORS}>:-Werror>)
if(SEGUE_SANITIZE)
    target_compile_options(segue_options INTERFACE
        -fsanitize=${SEGUE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(segue_options INTERFACE -fsanitize=${SEGUE_SANITIZE})
endif()

# The standard headers that most files include are read once for all libraries: a quarter of the time of a build. Every
# file still includes what it uses; the clang preset, which lint reads, compiles without this. Two sets, because checks of
# bounds change what the headers say. No header of this project belongs here: every edit of it would build everything.
function(segue_standard_headers library checks)
    set(headers segue_standard_headers)
    if(checks)
        set(headers segue_checked_standard_headers)
    endif()
    if(NOT TARGET ${headers})
        file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/standard_headers.cpp CONTENT "")
        add_library(${headers} OBJECT ${PROJECT_BINARY_DIR}/standard_headers.cpp)
        set_target_properties(${headers} PROPERTIES POSITION_INDEPENDENT_CODE ON)
        target_link_libraries(${headers} PRIVATE segue_options Threads::Threads)
        target_precompile_headers(${headers} PRIVATE <algorithm> <array> <chrono> <cmath> <cstdint> <cstring>
            <functional> <limits> <map> <memory> <mutex> <numeric> <optional> <set> <span> <string> <string_view> <thread>
            <utility> <vector>)
        if(checks)
            target_compile_definitions(${headers} PRIVATE ${SEGUE_BOUNDS_CHECKS})
        endif()
    endif()
    target_precompile_headers(${library} REUSE_FROM ${headers})
endfunction()

# segue_library(NAME SOURCES file... [DEPENDS target...] [PRIVATE_DEPENDS target...]
#               [TESTS file...] [SLOW_TESTS file...])
# Makes the library segue_NAME from this folder, the program segue_NAME_test (label unit) from TESTS
# and segue_NAME_slow_test (label slow) from SLOW_TESTS. DEPENDS are seen in headers.
function(segue_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS;TESTS;SLOW_TESTS" ${ARGN})
    add_library(segue_${name} STATIC ${arg_SOURCES})
    set_target_properties(segue_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(segue_${name} PUBLIC segue_options ${arg_DEPENDS} PRIVATE ${arg_PRIVATE_DEPENDS})
    set(checks "")
    if(name IN_LIST SEGUE_CHECKED_FOLDERS)
        set(checks ${SEGUE_BOUNDS_CHECKS})
    endif()
    target_compile_definitions(segue_${name} PRIVATE ${checks})
    segue_standard_headers(segue_${name} "${checks}")
    if(SEGUE_BUILD_TESTS AND arg_TESTS)
        segue_test(segue_${name}_test LABEL unit SOURCES ${arg_TESTS} DEPENDS segue_${name})
    endif()
    if(SEGUE_BUILD_TESTS AND arg_SLOW_TESTS)
        segue_test(segue_${name}_slow_test LABEL slow SOURCES ${arg_SLOW_TESTS} DEPENDS segue_${name})
    endif()
endfunction()

# Half of a test's build is reading GoogleTest and optimising code that runs once: its headers are read
# once for all tests, and the optimiser is kept short. The libraries they test are built as they ship.
set(SEGUE_TEST_OPTIONS $<$<CONFIG:Release>:-O1>)
function(segue_test_headers)
    if(NOT TARGET segue_test_headers)
        file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/test_headers.cpp CONTENT "")
        add_library(segue_test_headers OBJECT ${PROJECT_BINARY_DIR}/test_headers.cpp)
        target_link_libraries(segue_test_headers PRIVATE segue_options GTest::gtest)
        target_compile_options(segue_test_headers PRIVATE ${SEGUE_TEST_OPTIONS})
        target_precompile_headers(segue_test_headers PRIVATE <gtest/gtest.h> <string> <vector>)
    endif()
endfunction()

# segue_test(TARGET LABEL label SOURCES file... [DEPENDS target...])
# SEGUE_SHARED_DATA tells tests where the optional data sets are; they skip when it is not there.
function(segue_test target)
    cmake_parse_arguments(arg "" "LABEL" "SOURCES;DEPENDS" ${ARGN})
    add_executable(${target} ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE segue_options ${arg_DEPENDS} GTest::gtest GTest::gtest_main)
    target_compile_options(${target} PRIVATE ${SEGUE_TEST_OPTIONS})
    segue_test_headers()
    target_precompile_headers(${target} REUSE_FROM segue_test_headers)
    add_test(NAME ${target} COMMAND ${target} --gtest_brief=1)
    set_tests_properties(${target} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600
        ENVIRONMENT "SEGUE_SHARED_DATA=${PROJECT_SOURCE_DIR}/../shared/data")
endfunction()
