#include "pipeline/export.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/json_writer.h"
#include "pipeline/shard_files.h"
#include "tables/session.h"
#include "tables/table_writer.h"

namespace segue {
namespace {

static_assert(std::endian::native == std::endian::little, "npy and bundles hold little-endian f32");

/// More files than this run into the limit of open files, and help nobody.
constexpr std::uint32_t kMaxShards = 512;
constexpr std::size_t kItemsBetweenReports = 16384;

bool means_folder(const ExportOptions& options) {
    std::error_code ignored;
    const std::filesystem::path path(options.out);
    return options.num_shards > 1 || options.out.ends_with('/') ||
           std::filesystem::is_directory(path, ignored) ||
           path.filename().string().find('.') == std::string::npos;
}

std::vector<std::string> file_names(const ExportOptions& options) {
    if (!means_folder(options)) {
        return {options.out};
    }
    const std::string folder = options.out.ends_with('/') ? options.out : options.out + "/";
    std::vector<std::string> names;
    switch (options.format) {
        case VectorFormat::kNpy:
            return {folder + "embeddings.npy"};
        case VectorFormat::kParquet:
            return {folder + "embeddings.parquet"};
        case VectorFormat::kJsonl:
        case VectorFormat::kCsv:
            for (std::uint32_t shard = 0; shard < std::max(1U, options.num_shards); ++shard) {
                names.push_back(folder + shard_name(options.format, shard));
            }
    }
    return names;
}

/// A folder made for the export, removed again unless the export comes to its end.
class NewFolder {
public:
    NewFolder() = default;
    NewFolder(const NewFolder&) = delete;
    NewFolder& operator=(const NewFolder&) = delete;
    ~NewFolder() {
        if (!path_.empty()) {
            std::error_code ignored;
            std::filesystem::remove(path_, ignored);
        }
    }
    Status create(const std::string& path) {
        std::error_code failure;
        if (std::filesystem::create_directory(path, failure)) {
            path_ = path;
        }
        return failure ? io_error(fmt::format("cannot make the folder '{}': {}", path,
                                              failure.message()))
                       : Status();
    }
    void keep() { path_.clear(); }

private:
    std::string path_;
};

/// The files of an earlier export that this one would leave beside its own.
/// Returns an error if: there are some and `overwrite` is false.
Result<std::vector<std::string>> find_left_over(const ExportOptions& options,
                                                std::size_t num_files) {
    if (!means_folder(options)) {
        return std::vector<std::string>();
    }
    Result<std::vector<std::string>> left = shards_beyond(options.out, options.format, num_files);
    if (left.ok() && !left->empty() && !options.overwrite) {
        return invalid_argument(
            fmt::format("'{}' is a file of an earlier export of more files; say --force to replace "
                        "that export",
                        left->front()));
    }
    return left;
}

Status remove_files(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        std::error_code failure;
        std::filesystem::remove(path, failure);
        if (failure) {
            return io_error(fmt::format(
                "the export is written, but '{}' of an earlier one cannot be removed: {}", path,
                failure.message()));
        }
    }
    return {};
}

void append_json_line(const Model& model, std::size_t item_row, std::string& text) {
    JsonWriter json;
    json.begin_object().key("id").value(model.item_keys()[item_row]);
    json.key("embedding").begin_array();
    for (const float value : model.item_vectors().row(item_row)) {
        json.value(value);
    }
    json.end_array().end_object();
    text += json.text();
    text += '\n';
}

void append_csv_line(const Model& model, std::size_t item_row, std::string& text) {
    const std::string_view key = model.item_keys()[item_row];
    if (key.find_first_of(",\"\r\n") == std::string_view::npos) {
        text += key;
    } else {
        text += '"';
        for (const char c : key) {
            text.append(c == '"' ? 2 : 1, c);
        }
        text += '"';
    }
    for (const float value : model.item_vectors().row(item_row)) {
        text += fmt::format(",{}", value);
    }
    text += '\n';
}

void say_written(const ProgressListener& progress, std::size_t done, std::size_t total) {
    if (done % kItemsBetweenReports == 0 || done == total) {
        report(progress,
               {.stage = "export", .done = done, .total = total, .unit = "items", .note = {}});
    }
}

Result<std::vector<AtomicFile>> create_files(const std::vector<std::string>& names,
                                             bool overwrite) {
    std::vector<AtomicFile> files;
    for (const std::string& name : names) {
        Result<AtomicFile> file = AtomicFile::create(name, overwrite);
        if (!file.ok()) {
            return file.status();
        }
        files.push_back(std::move(file).value());
    }
    return files;
}

Status commit_all(std::vector<AtomicFile>& files) {
    for (AtomicFile& file : files) {
        if (Status status = file.commit(); !status.ok()) {
            return status;
        }
    }
    return {};
}

/// Item rows [begin, end) of shard s are those with row * shards / items == s, in stretches that
/// differ by one.
Status write_text_files(const Model& model, VectorFormat format, std::vector<AtomicFile>& files,
                        const ProgressListener& progress) {
    const std::size_t num_items = model.num_items();
    std::string line;
    for (std::size_t shard = 0; shard < files.size(); ++shard) {
        const std::size_t end = num_items * (shard + 1) / files.size();
        for (std::size_t row = num_items * shard / files.size(); row < end; ++row) {
            line.clear();
            if (format == VectorFormat::kJsonl) {
                append_json_line(model, row, line);
            } else {
                append_csv_line(model, row, line);
            }
            if (Status status = files[shard].write(line); !status.ok()) {
                return status;
            }
            say_written(progress, row + 1, num_items);
        }
    }
    return commit_all(files);
}

/// The header of numpy's format 1.0: padded so that the data begin at a multiple of 64 bytes.
std::string npy_header(std::size_t num_rows, std::size_t dim) {
    std::string dictionary = fmt::format(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", num_rows, dim);
    constexpr std::size_t kPrefixBytes = 10;
    const std::size_t unpadded = kPrefixBytes + dictionary.size() + 1;
    dictionary.append((64 - unpadded % 64) % 64, ' ');
    dictionary += '\n';
    std::string header = "\x93NUMPY";
    header += '\x01';
    header += '\0';
    header += static_cast<char>(dictionary.size() & 0xFF);
    header += static_cast<char>(dictionary.size() >> 8);
    return header + dictionary;
}

Status write_npy(const Model& model, std::vector<AtomicFile>& files,
                 const ProgressListener& progress) {
    const MatrixView vectors = model.item_vectors();
    if (Status status = files[0].write(npy_header(vectors.num_rows, vectors.dim)); !status.ok()) {
        return status;
    }
    JsonWriter keys;
    keys.begin_array();
    for (std::size_t row = 0; row < vectors.num_rows; ++row) {
        if (Status status = files[0].write(std::as_bytes(vectors.row(row))); !status.ok()) {
            return status;
        }
        keys.value(model.item_keys()[row]);
        say_written(progress, row + 1, vectors.num_rows);
    }
    keys.end_array();
    if (Status status = files[1].write(keys.text()); !status.ok()) {
        return status;
    }
    return commit_all(files);
}

Status write_parquet(const Model& model, const std::string& path, bool overwrite,
                     const ProgressListener& progress) {
    Result<Session> session = Session::open({});
    if (!session.ok()) {
        return session.status();
    }
    Result<TableWriter> writer = TableWriter::create(
        *session, path,
        {{"id", OutputColumn::Type::kText}, {"embedding", OutputColumn::Type::kFloatList}},
        overwrite);
    if (!writer.ok()) {
        return writer.status();
    }
    for (std::size_t row = 0; row < model.num_items(); ++row) {
        writer->text(model.item_keys()[row]);
        writer->floats(model.item_vectors().row(row));
        writer->end_row();
        say_written(progress, row + 1, model.num_items());
    }
    return writer->commit();
}

}  // namespace

Result<ExportReport> export_vectors(const Model& model, const ExportOptions& options,
                                    const ProgressListener& progress) {
    if (model.item_vectors().num_rows == 0) {
        return invalid_argument(
            fmt::format("a {} model has no vectors to export; ials and "
                        "blueprint models have",
                        model.info().recipe));
    }
    const bool is_text =
        options.format == VectorFormat::kJsonl || options.format == VectorFormat::kCsv;
    if (options.num_shards > kMaxShards || (options.num_shards > 1 && !is_text)) {
        return invalid_argument(
            fmt::format("{} shards of {} were asked for; up to {} of jsonl or csv can be written",
                        options.num_shards, name_of(options.format), kMaxShards));
    }
    NewFolder folder;
    if (means_folder(options)) {
        if (Status status = folder.create(options.out); !status.ok()) {
            return status;
        }
    }
    ExportReport done = {file_names(options), {}, model.num_items(), model.item_vectors().dim};
    Result<std::vector<std::string>> left_over = find_left_over(options, done.files.size());
    if (!left_over.ok()) {
        return left_over.status();
    }
    done.removed = std::move(left_over).value();
    if (options.format == VectorFormat::kNpy) {
        done.files.push_back(keys_path_of(done.files.front()));
    }
    Status status;
    if (options.format == VectorFormat::kParquet) {
        status = write_parquet(model, done.files.front(), options.overwrite, progress);
    } else {
        Result<std::vector<AtomicFile>> files = create_files(done.files, options.overwrite);
        status = !files.ok() ? files.status()
                 : is_text   ? write_text_files(model, options.format, *files, progress)
                             : write_npy(model, *files, progress);
    }
    if (!status.ok()) {
        return status;
    }
    folder.keep();
    if (status = remove_files(done.removed); !status.ok()) {
        return status;
    }
    return done;
}

}  // namespace segue
