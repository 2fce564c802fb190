#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace anchor::server {

// What was given of the options: name to text, as a flag would say it.
using GivenOptions = std::map<std::string, std::string, std::less<>>;

// From a TOML file whose keys are the flags' names. Errors name the key and the place, also of a
// key that is no option.
Result<GivenOptions> read_options_file(const std::string& path,
                                       const std::function<bool(std::string_view)>& is_option);

}  // namespace anchor::server
