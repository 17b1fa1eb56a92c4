#include <fmt/core.h>

#include <array>
#include <utility>

#include "bundle/reader.h"
#include "model/index_tensors.h"
#include "model/model.h"
#include "model/model_metadata.h"
#include "model/model_tables.h"
#include "model/table_finder.h"

namespace segue {

namespace {

TableViews find_tables(TableFinder& finder, const StatedModel& stated, Matrix& aligned) {
    TableViews views;
    views.item_keys = finder.strings("item_keys");
    if (views.item_keys.size() != stated.num_items) {
        finder.fail(fmt::format("it has {} item keys, expected {}", views.item_keys.size(),
                                stated.num_items));
    }
    views.item_frequencies = finder.optional<std::uint32_t>("item_frequencies");
    views.attribute_names = stated.attribute_names;
    for (const std::string& name : stated.attribute_names) {
        views.attributes.push_back(finder.strings("attributes." + name));
    }
    if (finder.has("item_vectors")) {
        views.item_vectors = finder.matrix("item_vectors", stated.dim, aligned);
    } else if (stated.dim != 0) {
        finder.fail(fmt::format("it has no tensor 'item_vectors' of dimension {}", stated.dim));
    }
    if (finder.has("neighbours.offsets")) {
        views.neighbours = {finder.required<std::uint64_t>("neighbours.offsets"),
                            finder.required<std::uint32_t>("neighbours.items"),
                            finder.required<float>("neighbours.scores"),
                            finder.optional<std::uint32_t>("neighbours.together")};
    }
    views.interactions.num_columns = views.item_keys.size();
    if (finder.has("interactions.offsets")) {
        views.group_keys = finder.strings("group_keys");
        views.interactions.num_rows = views.group_keys.size();
        views.interactions.offsets = finder.required<std::uint64_t>("interactions.offsets");
        views.interactions.columns = finder.required<std::uint32_t>("interactions.items");
        views.interactions.values = finder.optional<float>("interactions.values");
    }
    return views;
}

/// Returns an error if: a key occurs twice.
Status index_keys(StringTableView keys, std::string_view what, KeyIndex& index) {
    index = KeyIndex(keys);
    return index.first_repeated() ? corrupt(fmt::format("{}: row {} repeats an earlier key", what,
                                                        *index.first_repeated()))
                                  : Status();
}

}  // namespace

Status Model::Tables::open_stored_index() {
    TableFinder finder(*file);
    if (!has_index(finder)) {
        return Status();
    }
    Result<StatedIndex> stated = read_stated_index(file->metadata());
    if (!stated.ok()) {
        return stated.status();
    }
    found_index = find_index(finder, *stated, views.item_keys.size(), views.item_vectors.dim);
    if (!finder.status().ok()) {
        return finder.status();
    }
    Result<LeafIndex> opened =
        LeafIndex::open(found_index.tables, views.item_vectors, stated->facts.settings);
    if (!opened.ok()) {
        return opened.status();
    }
    index = std::move(opened).value();
    index_facts = std::move(stated->facts);
    return Status();
}

Status Model::Tables::open_file(BundleReader reader, bool with_index) {
    Result<StatedModel> stated = read_stated_model(reader.metadata());
    if (!stated.ok()) {
        return stated.status();
    }
    file.emplace(std::move(reader));
    TableFinder finder(*file);
    views = find_tables(finder, *stated, aligned_vectors);
    info = std::move(stated->info);
    ThreadPool pool(threads_for_checks(file->num_bytes()));
    Status status = finder.status();
    if (status.ok()) {
        status = check_tables(info, views, pool);
    }
    if (!status.ok()) {
        return status;
    }
    // Each is the work of one thread.
    std::array<Status, 3> opened;
    pool.for_each(opened.size(), [&](std::size_t part, unsigned) {
        if (part == 0) {
            opened[part] = index_keys(views.item_keys, "item keys", item_index);
        } else if (part == 1) {
            opened[part] = with_index ? open_stored_index() : Status();
        } else {
            opened[part] = index_keys(views.group_keys, "group keys", group_index);
        }
    });
    for (const std::size_t part : {0U, 2U, 1U}) {
        if (!opened[part].ok()) {
            return opened[part];
        }
    }
    return Status();
}

Result<Model> Model::open(const std::string& path, const OpenOptions& options) {
    Result<BundleReader> file = BundleReader::open(path, options.verify_checksums, options.copy);
    if (!file.ok()) {
        return file.status();
    }
    auto tables = std::make_unique<Tables>();
    if (Status status = tables->open_file(std::move(*file), options.open_index); !status.ok()) {
        return status.with_context(fmt::format("bundle '{}'", path));
    }
    return Model(std::move(tables));
}

}  // namespace segue
