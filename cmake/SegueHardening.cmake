# Flags of programs that strangers' bytes reach: an error of memory ends the program instead of being used.
# segue_options carries those that cost nothing; bounds checks of the standard library, which kernels and searches
# would pay for, are for the folders that read what comes from outside.
include_guard()

option(SEGUE_HARDEN "Stack protector, fortified library calls, read-only relocations, position-independent programs" OFF)
if(SEGUE_HARDEN AND NOT SEGUE_SANITIZE)
    include(CheckPIESupported)
    check_pie_supported(LANGUAGES CXX)
    target_compile_options(segue_options INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    target_link_options(segue_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# segue_harden_program(TARGET): the program can be loaded at any address.
function(segue_harden_program target)
    if(SEGUE_HARDEN AND NOT SEGUE_SANITIZE)
        set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    endif()
endfunction()

# operator[] and the like of these folders' code end the program when out of bounds.
set(SEGUE_CHECKED_FOLDERS base bundle cli http ingest model serve tables)
set(SEGUE_BOUNDS_CHECKS "")
if(SEGUE_HARDEN AND NOT SEGUE_SANITIZE)
    set(SEGUE_BOUNDS_CHECKS _GLIBCXX_ASSERTIONS)
endif()
