#pragma once

// One client: its bytes in, its answers out, one at a time. Private to the folder.

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "http/loop.h"

namespace boost::asio::ssl {
class context;
}

namespace segue {

using LoopSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

struct ConnectionFacts {
    std::string peer;
    bool is_admin = false;
    bool is_over_limit = false;
};

/// Runs a connection on `loop`, from any thread, until one side ends it.
void start_plain_connection(Loop& loop, LoopSocket socket, ConnectionFacts facts);
void start_tls_connection(Loop& loop, LoopSocket socket, boost::asio::ssl::context& tls,
                          ConnectionFacts facts);

}  // namespace segue
