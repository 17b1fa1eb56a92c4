#include "http/tls_context.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace segue {
namespace {

namespace ssl = boost::asio::ssl;

Status check(const boost::system::error_code& error, std::string_view what,
             const std::string& path) {
    if (!error) {
        return {};
    }
    return io_error(fmt::format("cannot use the {} '{}': {}", what, path, error.message()));
}

}  // namespace

Status TlsContext::reload() {
    const auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* const handle = context->native_handle();
    SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION);
    SSL_CTX_set_options(
        handle, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // An idle connection gives its buffers back.
    SSL_CTX_set_mode(handle, SSL_MODE_RELEASE_BUFFERS);
    ::ERR_clear_error();
    boost::system::error_code error;
    context->use_certificate_chain_file(files_.certificate_file, error);
    if (const Status status = check(error, "certificate", files_.certificate_file); !status.ok()) {
        return status;
    }
    context->use_private_key_file(files_.key_file, ssl::context::pem, error);
    if (const Status status = check(error, "key", files_.key_file); !status.ok()) {
        return status;
    }
    if (SSL_CTX_check_private_key(handle) != 1) {
        return invalid_argument(fmt::format("the key '{}' is not the one of the certificate '{}'",
                                            files_.key_file, files_.certificate_file));
    }
    if (!files_.client_ca_file.empty()) {
        context->load_verify_file(files_.client_ca_file, error);
        if (const Status status = check(error, "client authority", files_.client_ca_file);
            !status.ok()) {
            return status;
        }
        context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    current_ = context;
    return {};
}

std::shared_ptr<ssl::context> TlsContext::current() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return current_;
}

}  // namespace segue
