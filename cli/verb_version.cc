#include <curl/curl.h>
#include <llhttp.h>
#include <uv.h>

#include "cli/output.h"
#include "cli/verbs.h"

namespace anchor::cli {

ExitCode run_version(const GlobalOptions& global, Console& console) {
  const std::string version = ANCHOR_VERSION;
  const std::string curl = curl_version_info(CURLVERSION_NOW)->version;
  const std::string uv = uv_version_string();
  const std::string llhttp = std::to_string(LLHTTP_VERSION_MAJOR) + "." +
                             std::to_string(LLHTTP_VERSION_MINOR) + "." +
                             std::to_string(LLHTTP_VERSION_PATCH);
  switch (global.format) {
    case OutputFormat::kTable:
      console.out << "anchorctl " << version << "\nlibcurl " << curl << "\nlibuv " << uv
                  << "\nllhttp " << llhttp << "\n";
      break;
    case OutputFormat::kRaw:
      console.out << version;
      break;
    case OutputFormat::kJson:
      print_json({{"version", version},
                  {"libraries", {{"libcurl", curl}, {"libuv", uv}, {"llhttp", llhttp}}}},
                 console);
  }
  return ExitCode::kOk;
}

}  // namespace anchor::cli
