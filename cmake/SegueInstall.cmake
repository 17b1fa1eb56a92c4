# `cmake --install`: the program, the shared library, its few headers, and what find_package(segue) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS segue_shared EXPORT segue-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS segue RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# A header includes the others relative to its own folder, so they keep the folders they have in src/.
install(FILES ${PROJECT_SOURCE_DIR}/src/library/vector_index.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/segue)
foreach(header base/progress.h base/status.h data/neighbours.h data/measure.h)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${PROJECT_SOURCE_DIR}/src/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/segue/${folder})
endforeach()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/segue)
install(EXPORT segue-targets NAMESPACE segue:: DESTINATION ${package_folder})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/segue-config.cmake.in
    ${PROJECT_BINARY_DIR}/segue-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/segue-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/segue-config.cmake ${PROJECT_BINARY_DIR}/segue-config-version.cmake
    DESTINATION ${package_folder})
