#include "http/connection-inl.h"

namespace segue {
namespace {

struct PlainTransport {
    LoopSocket stream;

    LoopSocket& socket() { return stream; }
    template <typename Done>
    void begin(const Done& done) {
        done(boost::system::error_code());
    }
    /// How much of it the kernel takes at once: nearly always all of it.
    std::size_t try_write(const std::string& bytes) {
        boost::system::error_code error;
        const std::size_t written = stream.write_some(boost::asio::buffer(bytes), error);
        return error ? 0 : written;
    }
    template <typename Done>
    void end(const Done& done) {
        boost::system::error_code error;
        stream.shutdown(LoopSocket::shutdown_send, error);
        done(error);
    }
};

}  // namespace

void start_plain_connection(Loop& loop, LoopSocket socket, ConnectionFacts facts) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    auto connection = std::make_shared<Connection<PlainTransport>>(
        loop, std::move(facts), PlainTransport{std::move(socket)});
    boost::asio::post(loop.io(), [connection = std::move(connection)] { connection->start(); });
}

}  // namespace segue
