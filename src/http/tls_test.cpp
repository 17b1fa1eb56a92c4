#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>

#include "base/temporary_folder.h"
#include "http/server.h"
#include "http/test_client.h"

namespace segue {
namespace {

using testing::TemporaryFolder;
using testing::TestClient;

template <auto Free>
struct Freer {
    template <typename Object>
    void operator()(Object* object) const {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Freer<SSL_free>>;
using File = std::unique_ptr<std::FILE, Freer<std::fclose>>;

/// Writes a key and a certificate for `name` that it signed itself.
void write_certificate(const std::string& name, const TlsFiles& files) {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
    const File certificate_file(std::fopen(files.certificate_file.c_str(), "w"));
    ASSERT_EQ(PEM_write_X509(certificate_file.get(), certificate.get()), 1);
    const File key_file(std::fopen(files.key_file.c_str(), "w"));
    ASSERT_EQ(
        PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
}

/// The name in the certificate a server shows and what it answers, "" when TLS of at most
/// `max_version` cannot be spoken with it.
std::pair<std::string, std::string> ask_over_tls(std::uint16_t port, int max_version) {
    const SslContext context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_max_proto_version(context.get(), max_version);
    const TestClient client(port);
    const Ssl ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), client.descriptor());
    if (SSL_connect(ssl.get()) != 1) {
        ::ERR_clear_error();
        return {};
    }
    const Certificate shown(SSL_get1_peer_certificate(ssl.get()));
    char name[100] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name,
                              sizeof(name));
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
    std::string answer;
    char buffer[4096];
    for (int size = 0; (size = SSL_read(ssl.get(), buffer, sizeof(buffer))) > 0;) {
        answer.append(buffer, static_cast<std::size_t>(size));
    }
    SSL_shutdown(ssl.get());
    return {name, answer};
}

TEST(HttpServerTls, answers_and_takes_new_certificates_while_it_runs) {
    const TemporaryFolder folder;
    const TlsFiles files = {folder.file("cert.pem"), folder.file("key.pem"), ""};
    HttpServerOptions options;
    options.listeners = {{.uses_tls = true}};
    options.tls = files;
    const HttpHandler handler = [](const HttpRequest&, HttpResponse& response) {
        response.body = "secure";
    };
    EXPECT_EQ(HttpServer::start(options, handler).status().code(), StatusCode::kIo);
    write_certificate("first", files);
    const Result<std::unique_ptr<HttpServer>> server = HttpServer::start(options, handler);
    ASSERT_TRUE(server.ok()) << server.status().message();
    const std::uint16_t port = (*server)->ports()[0];
    auto [name, answer] = ask_over_tls(port, TLS1_3_VERSION);
    EXPECT_EQ(name, "first");
    EXPECT_TRUE(answer.ends_with("secure")) << answer;
    EXPECT_EQ(ask_over_tls(port, TLS1_2_VERSION).first, "first");
    EXPECT_EQ(ask_over_tls(port, TLS1_1_VERSION).first, "");

    write_certificate("second", files);
    EXPECT_EQ(ask_over_tls(port, TLS1_3_VERSION).first, "first");
    EXPECT_TRUE((*server)->reload_tls().ok());
    EXPECT_EQ(ask_over_tls(port, TLS1_3_VERSION).first, "second");

    // A key that is not the certificate's is refused, and the old pair stays.
    const TlsFiles other = {folder.file("other.pem"), files.key_file, ""};
    write_certificate("third", other);
    EXPECT_FALSE((*server)->reload_tls().ok());
    EXPECT_EQ(ask_over_tls(port, TLS1_3_VERSION).first, "second");

    // Without TLS it says nothing to be mistaken for an answer.
    TestClient plain(port);
    plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(plain.receive().status, 0);
}

}  // namespace
}  // namespace segue
