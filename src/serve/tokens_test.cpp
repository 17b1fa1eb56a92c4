#include "serve/tokens.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/temporary_folder.h"

namespace segue::serve {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef";
// printf %s 0123456789abcdef | sha256sum
constexpr std::string_view kSecretDigest =
    "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f";

std::unique_ptr<Tokens> tokens_of(const std::string& text) {
    Result<std::unique_ptr<Tokens>> tokens = Tokens::parse(text);
    EXPECT_TRUE(tokens.ok()) << tokens.status().message();
    return std::move(*tokens);
}

TEST(Tokens, knows_a_token_by_itself_and_by_its_digest) {
    const auto tokens =
        tokens_of("# who may what\n\nshop read,user 0123456789abcdef\n" +
                  std::string("ops admin,metrics sha256:") +
                  "0000000000000000000000000000000000000000000000000000000000000000");
    EXPECT_EQ(tokens->size(), 2U);
    for (const std::string& text :
         {"a read " + std::string(kSecret), "a read sha256:" + std::string(kSecretDigest)}) {
        ScopeSet scopes;
        EXPECT_EQ(tokens_of(text)->check(kSecret, scopes), Tokens::Verdict::kKnown) << text;
        EXPECT_TRUE(scopes.has(Scope::kRead));
        EXPECT_FALSE(scopes.has(Scope::kUser));
        EXPECT_FALSE(scopes.has(Scope::kAdmin));
        EXPECT_EQ(tokens_of(text)->check("0123456789abcdeF", scopes), Tokens::Verdict::kUnknown);
        EXPECT_EQ(tokens_of(text)->check("", scopes), Tokens::Verdict::kUnknown);
    }
}

TEST(Tokens, refuses_lines_it_does_not_understand_without_repeating_them) {
    for (const char* const text :
         {"", "# nothing\n", "a read", "a read short", "a everything 0123456789abcdef",
          "a read, 0123456789abcdef", "a read sha256:12", "a read 0123456789abcdef fast",
          "a read 0123456789abcdef 0", "a read 0123456789abcdef -1",
          "a read 0123456789abcdef 5 6"}) {
        const Status status = Tokens::parse(text).status();
        EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
        EXPECT_EQ(status.message().find("0123456789"), std::string::npos);
    }
}

TEST(Tokens, are_read_only_from_a_file_that_is_private) {
    const segue::testing::TemporaryFolder folder;
    const std::string path = folder.file("tokens");
    EXPECT_EQ(Tokens::read(path).status().code(), StatusCode::kIo);
    std::ofstream(path) << "a read 0123456789abcdef\n";
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    EXPECT_EQ(Tokens::read(path).status().code(), StatusCode::kInvalidArgument);
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    EXPECT_TRUE(Tokens::read(path).ok());
}

TEST(Tokens, lets_nobody_ask_more_often_than_allowed) {
    const auto tokens = tokens_of("a read 0123456789abcdef 3");
    ScopeSet scopes;
    int num_known = 0;
    for (int number = 0; number < 50; ++number) {
        num_known += tokens->check(kSecret, scopes) == Tokens::Verdict::kKnown;
    }
    EXPECT_GE(num_known, 3);
    EXPECT_LT(num_known, 50);
}

struct Asked {
    bool is_admitted = false;
    Caller caller;
    HttpResponse response;
};

Asked ask(const AccessControl& access, std::string_view authorization, bool on_admin = false) {
    const HttpField header = {"Authorization", authorization};
    HttpRequest request;
    request.headers = {&header, 1};
    request.on_admin_listener = on_admin;
    Asked asked;
    asked.is_admitted = access.admit(request, asked.caller, asked.response);
    return asked;
}

TEST(AccessControl, without_tokens_keeps_administration_to_its_listener) {
    const AccessControl at_home(true);
    EXPECT_TRUE(ask(at_home, "").caller.scopes.has(Scope::kRead));
    EXPECT_TRUE(ask(at_home, "").caller.scopes.has(Scope::kMetrics));
    EXPECT_FALSE(ask(at_home, "").caller.scopes.has(Scope::kAdmin));
    EXPECT_TRUE(ask(at_home, "", true).caller.scopes.has(Scope::kAdmin));
    EXPECT_FALSE(ask(AccessControl(false), "").caller.scopes.has(Scope::kMetrics));
}

TEST(AccessControl, with_tokens_trusts_nobody_without_one) {
    AccessControl access(true);
    access.use(tokens_of("a read 0123456789abcdef\nb admin fedcba9876543210 1\n"));
    for (const bool on_admin : {false, true}) {
        for (const char* const wrong :
             {"", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Basic 0123456789abcdef",
              "0123456789abcdef", "Bearer  0123456789abcdef"}) {
            const Asked asked = ask(access, wrong, on_admin);
            EXPECT_TRUE(asked.is_admitted);
            EXPECT_FALSE(asked.caller.is_known) << wrong;
            EXPECT_FALSE(asked.caller.scopes.has(Scope::kRead)) << wrong;
        }
        EXPECT_TRUE(
            ask(access, "bearer 0123456789abcdef", on_admin).caller.scopes.has(Scope::kRead));
        EXPECT_FALSE(
            ask(access, "Bearer 0123456789abcdef", on_admin).caller.scopes.has(Scope::kAdmin));
    }
    Asked asked;
    for (int number = 0; number < 10 && asked.response.status != 429; ++number) {
        asked = ask(access, "Bearer fedcba9876543210");
    }
    EXPECT_FALSE(asked.is_admitted);
    EXPECT_EQ(asked.response.header_lines(), "Retry-After: 1\r\n");
    access.use(tokens_of("c user cccccccccccccccccccc"));
    EXPECT_FALSE(ask(access, "Bearer 0123456789abcdef").caller.is_known);
}

}  // namespace
}  // namespace segue::serve
