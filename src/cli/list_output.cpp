#include "cli/list_output.h"

#include <algorithm>

#include "base/file.h"
#include "tables/session.h"

namespace segue::cli {

Status check_writable(const std::string& path, bool overwrite) {
    const Result<AtomicFile> probe = AtomicFile::create(path, overwrite);
    return probe.ok() ? Status() : probe.status();
}

Status write_lists(const std::string& path, std::vector<OutputColumn> columns, bool overwrite,
                   std::size_t num_rows, const BlockWriter& write_block) {
    Result<Session> session = Session::open({});
    if (!session.ok()) {
        return session.status();
    }
    Result<TableWriter> writer = TableWriter::create(*session, path, std::move(columns), overwrite);
    if (!writer.ok()) {
        return writer.status();
    }
    for (std::size_t begin = 0; begin < num_rows; begin += kListsPerBlock) {
        const std::size_t end = std::min(num_rows, begin + kListsPerBlock);
        if (Status status = write_block(begin, end, *writer); !status.ok()) {
            return status;
        }
    }
    return writer->commit();
}

}  // namespace segue::cli
