// The same for the folders that know Boost.Asio.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "cmake/precompiled.h"
