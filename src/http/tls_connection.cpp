#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "http/connection-inl.h"

namespace segue {
namespace {

struct TlsTransport {
    TlsTransport(LoopSocket socket, boost::asio::ssl::context& context)
        : stream(std::move(socket), context) {}

    boost::asio::ssl::stream<LoopSocket> stream;

    LoopSocket& socket() { return stream.next_layer(); }
    template <typename Done>
    void begin(Done done) {
        stream.async_handshake(boost::asio::ssl::stream_base::server, std::move(done));
    }
    std::size_t try_write(const std::string&) { return 0; }
    /// Says so in TLS too; the client's own word is waited for, so nothing is left to take in.
    template <typename Done>
    void end(Done done) {
        stream.async_shutdown(std::move(done));
    }
};

}  // namespace

void start_tls_connection(Loop& loop, LoopSocket socket, boost::asio::ssl::context& tls,
                          ConnectionFacts facts) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    auto connection =
        std::make_shared<Connection<TlsTransport>>(loop, std::move(facts), std::move(socket), tls);
    boost::asio::post(loop.io(), [connection = std::move(connection)] { connection->start(); });
}

}  // namespace segue
