#include "cli/text_file.h"

#include "base/file.h"

namespace segue::cli {

Status write_text_file(const std::string& path, std::string_view text, bool overwrite) {
    Result<AtomicFile> file = AtomicFile::create(path, overwrite);
    if (!file.ok()) {
        return file.status();
    }
    if (Status status = file->write(text); !status.ok()) {
        return status;
    }
    return file->commit();
}

}  // namespace segue::cli
