#include <fmt/core.h>

#include <algorithm>

#include "bundle/reader.h"
#include "model/model.h"
#include "model/model_metadata.h"
#include "model/model_tables.h"

namespace segue {

namespace {

/// Finds the tables of a model among the tensors of a bundle and remembers the first thing that is
/// wrong.
class TableFinder {
public:
    explicit TableFinder(const BundleReader& file) : file_(file) {}

    /// The tensor of one axis that must be there.
    template <typename Element>
    std::span<const Element> required(const std::string& name) {
        const TensorView* const tensor = file_.find(name);
        if (tensor == nullptr) {
            fail(fmt::format("it has no tensor '{}'", name));
            return {};
        }
        if (tensor->shape.size() != 1) {
            fail(fmt::format("tensor '{}' is {}, expected one axis", name, type_text(*tensor)));
            return {};
        }
        Result<std::span<const Element>> elements = elements_of<Element>(*tensor);
        if (!elements.ok()) {
            fail(elements.status().message());
            return {};
        }
        return *elements;
    }

    /// Like required() for one that may be missing; nothing then.
    template <typename Element>
    std::span<const Element> optional(const std::string& name) {
        return has(name) ? required<Element>(name) : std::span<const Element>();
    }

    StringTableView strings(const std::string& name) {
        const auto offsets = required<std::uint64_t>(name + ".offsets");
        return {offsets, required<char>(name + ".bytes")};
    }

    void fail(std::string message) {
        if (status_.ok()) {
            status_ = corrupt(std::move(message));
        }
    }
    bool has(std::string_view name) const { return file_.find(name) != nullptr; }
    const TensorView* tensor(std::string_view name) const { return file_.find(name); }
    const Status& status() const { return status_; }

private:
    const BundleReader& file_;
    Status status_;
};

/// The vectors in place where rows begin at cache lines, else a copy of them in `aligned`.
MatrixView find_vectors(TableFinder& finder, std::uint64_t dim, Matrix& aligned) {
    const TensorView* const tensor = finder.tensor("item_vectors");
    if (tensor == nullptr) {
        if (dim != 0) {
            finder.fail(fmt::format("it has no tensor 'item_vectors' of dimension {}", dim));
        }
        return {};
    }
    const Result<std::span<const float>> values = elements_of<float>(*tensor);
    if (!values.ok() || tensor->shape.size() != 2 || dim == 0 || dim > tensor->shape[1]) {
        finder.fail(values.ok() ? fmt::format("tensor 'item_vectors' is {}, expected rows of at "
                                              "least {} floats, and at least 1",
                                              type_text(*tensor), dim)
                                : values.status().message());
        return {};
    }
    if (tensor->shape[0] == 0) {
        return {};
    }
    const MatrixView stored = {values->data(), tensor->shape[0], dim, tensor->shape[1]};
    const bool at_cache_lines = stored.stride % kRowPadding == 0 &&
                                reinterpret_cast<std::uintptr_t>(stored.data) % kDataAlignment == 0;
    if (at_cache_lines) {
        return stored;
    }
    aligned = Matrix(stored.num_rows, stored.dim);
    for (std::size_t row = 0; row < stored.num_rows; ++row) {
        std::copy_n(stored.row(row).data(), stored.dim, aligned.row(row).data());
    }
    return aligned.view();
}

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
    views.item_vectors = find_vectors(finder, stated.dim, aligned);
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
    for (std::size_t row = 0; row < keys.size(); ++row) {
        if (index.find(keys, keys[row]) != static_cast<std::uint32_t>(row)) {
            return corrupt(fmt::format("{}: row {} repeats an earlier key", what, row));
        }
    }
    return Status();
}

}  // namespace

Result<Model> Model::open(const std::string& path, const OpenOptions& options) {
    Result<BundleReader> file = BundleReader::open(path, options.verify_checksums);
    if (!file.ok()) {
        return file.status();
    }
    const std::string context = fmt::format("bundle '{}'", path);
    Result<StatedModel> stated = read_stated_model(file->metadata());
    if (!stated.ok()) {
        return stated.status().with_context(context);
    }
    auto tables = std::make_unique<Tables>();
    tables->file.emplace(std::move(*file));
    TableFinder finder(*tables->file);
    tables->views = find_tables(finder, *stated, tables->aligned_vectors);
    tables->info = std::move(stated->info);
    const TableViews& views = tables->views;
    Status status = finder.status();
    if (status.ok()) {
        status = check_tables(tables->info, views);
    }
    if (status.ok()) {
        status = index_keys(views.item_keys, "item keys", tables->item_index);
    }
    if (status.ok()) {
        status = index_keys(views.group_keys, "group keys", tables->group_index);
    }
    if (!status.ok()) {
        return status.with_context(context);
    }
    return Model(std::move(tables));
}

}  // namespace segue
