# Writes OUTPUT, a C++ file that holds the policies POLICIES (a list of paths).
set(entries "")
foreach(path IN LISTS POLICIES)
  get_filename_component(name "${path}" NAME_WE)
  file(READ "${path}" text)
  string(APPEND entries "    {\"${name}\", R\"torno-policy(${text})torno-policy\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"broker/policy/find.h\"

namespace torno::policy {
namespace {

constexpr BuiltIn kBuiltIn[] = {
${entries}};

}  // namespace

std::span<const BuiltIn> built_in_policies() { return kBuiltIn; }

}  // namespace torno::policy
")
