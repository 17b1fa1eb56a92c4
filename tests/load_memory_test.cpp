// A load for which there is no memory is refused, whichever allocation it is that fails, and what
// was served before answers on.

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "base/temporary_folder.h"
#include "model/model_fixture.h"
#include "serve/model_loader.h"

namespace {

/// Allocations of this thread until one, and only that, fails; negative for none.
thread_local long allocations_left = -1;  // NOLINT

void* allocate_or_null(std::size_t size) noexcept {
    if (allocations_left >= 0 && allocations_left-- == 0) {
        return nullptr;
    }
    return std::malloc(size == 0 ? 1 : size);
}

void* allocate(std::size_t size) {
    void* const memory = allocate_or_null(size);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

}  // namespace

void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new[](std::size_t size) {
    return allocate(size);
}
// What does not throw is freed by the same operator delete: sanitizers want both from here.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate_or_null(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return allocate_or_null(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace segue::serve {
namespace {

TEST(LoadMemory, that_is_missing_at_any_allocation_refuses_the_load_and_nothing_else) {
    const segue::testing::TemporaryFolder folder;
    std::filesystem::create_directory(folder.file("songs"));
    for (const char* const file : {"songs/1.segue", "songs/2.segue"}) {
        ASSERT_TRUE(
            write_bundle(segue::testing::small_indexed_parts(), folder.file(file), true).ok());
    }
    ModelRegistry registry(1);
    Result<ModelFolder> models = ModelFolder::open(folder.path());
    ASSERT_TRUE(models.ok());
    const Result<std::unique_ptr<ModelLoader>> loader =
        ModelLoader::start(std::move(*models), {.watch = false}, registry);
    ASSERT_TRUE(loader.ok());
    Query query;
    query.items.push_back({"a", 1});
    long num_refused = 0;
    long num_without_memory = 0;  // others were told by libraries that something cannot be read
    for (long number = 0;; number += 1 + number / 64) {
        ASSERT_TRUE((*loader)->unload("songs", 2).ok());
        allocations_left = number;
        const Status status = (*loader)->load("songs", 2);
        const bool has_failed = allocations_left < 0;
        allocations_left = -1;
        const ModelSnapshot served = registry.acquire("songs", {}, 0).value();
        ASSERT_EQ(served->recommender().answer(query)->results.size(), 3U);
        if (!has_failed) {
            ASSERT_TRUE(status.ok()) << status.message();
            break;
        }
        ++num_refused;
        if (!registry.acquire("songs", {2, ""}, 0).ok()) {
            ASSERT_FALSE(status.ok()) << number;
            num_without_memory += status.code() == StatusCode::kResourceLimit;
            ASSERT_TRUE((*loader)->load("songs", 2).ok()) << "with memory it goes on";
        }
    }
    EXPECT_GT(num_refused, 20);
    EXPECT_GT(num_without_memory, num_refused / 2);
}

}  // namespace
}  // namespace segue::serve
