#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <mutex>

#include "http/server.h"

namespace segue {

/// The certificate new connections are shown; may change while they come. Thread-safe.
class TlsContext {
public:
    explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}

    /// Reads the files. Returns an error if: one cannot be read, or key and certificate do not fit;
    /// what was used before stays then.
    Status reload();
    std::shared_ptr<boost::asio::ssl::context> current() const;

private:
    TlsFiles files_;
    mutable std::mutex mutex_;
    std::shared_ptr<boost::asio::ssl::context> current_;
};

}  // namespace segue
