// Programs that look at documents of others: pdftotext, file, xmllint.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/programs/workplace.h"

namespace torno::programs {
namespace {

// A document of one page, with these words on it.
std::string pdf(const std::string& words) {
  const std::string page = "BT /F1 24 Tf 72 700 Td (" + words + ") Tj ET";
  const std::string objects[] = {
      "<< /Type /Catalog /Pages 2 0 R >>",
      "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R\n"
      "   /Resources << /Font << /F1 5 0 R >> >> >>",
      "<< /Length " + std::to_string(page.size()) + " >>\nstream\n" + page + "\nendstream",
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  };
  std::string text = "%PDF-1.4\n";
  std::string table = "0000000000 65535 f \n";
  int number = 0;
  for (const std::string& object : objects) {
    char entry[32];
    std::snprintf(entry, sizeof entry, "%010zu 00000 n \n", text.size());
    table += entry;
    text += std::to_string(++number) + " 0 obj\n" + object + "\nendobj\n";
  }
  const std::string size = std::to_string(number + 1);
  const std::string start = std::to_string(text.size());
  return text + "xref\n0 " + size + "\n" + table + "trailer\n<< /Size " + size +
         " /Root 1 0 R >>\nstartxref\n" + start + "\n%%EOF\n";
}

TEST(Programs, PdftotextReadsThePaperAndNoOther) {
  TORNO_NEEDS("pdftotext");
  Workplace place;
  place.write("a paper.pdf", pdf("Hello from the paper"));
  place.write("other.pdf", pdf("Nobody sees this"));
  const Words options = {"--policy", "pdftotext", "--read", "a paper.pdf"};
  place.expect_same_by_both(options, {"pdftotext", "a paper.pdf", "-"});
  place.expect_same_by_both(options, {"pdftotext", "-layout", "-bbox", "a paper.pdf", "-"});
  place.expect_refused(options, {"pdftotext", "other.pdf", "-"}, "Nobody sees this");

  const Outcome made =
      place.inside({"--policy", "pdftotext", "--read", "a paper.pdf", "--write", "paper.txt"},
                   {"pdftotext", "a paper.pdf", "paper.txt"});
  EXPECT_EQ(made, (Outcome{0, "", ""}));
  EXPECT_EQ(place.read("paper.txt"), place.outside({"pdftotext", "a paper.pdf", "-"}).out);
}

TEST(Programs, PdftotextOfGarbageFailsAlike) {
  TORNO_NEEDS("pdftotext");
  Workplace place;
  place.write("broken.pdf", pdf("cut").substr(0, 300));
  const Words command = {"pdftotext", "broken.pdf", "-"};
  EXPECT_EQ(place.inside({"--policy", "pdftotext", "--read", "broken.pdf"}, command),
            place.outside(command));
}

TEST(Programs, FileKnowsWhatItMaySee) {
  TORNO_NEEDS("file");
  Workplace place;
  place.write("paper.pdf", pdf("Hello"));
  place.write("text", "some words\n");
  place.write("empty", "");
  place.write("script", "#!/bin/sh\necho hello\n");
  place.write("page.xml", "<?xml version=\"1.0\"?>\n<page/>\n");
  place.write("secret", "GIF89a\1\1\1\1");
  const Words options = {"--policy", "file",     "--read", "paper.pdf",    "--read",
                         "text",     "--read",   "empty",  "--read",       "script",
                         "--read",   "page.xml", "--read", "/usr/bin/file"};
  place.expect_same_by_both(options, {"file", "paper.pdf", "text", "empty", "script", "page.xml"});
  place.expect_same_by_both(options, {"file", "--mime", "-L", "/usr/bin/file", "text"});
  // It tells of what it cannot open in its answer, and goes on.
  EXPECT_NE(place.outside({"file", "secret"}).out.find("GIF"), std::string::npos);
  EXPECT_EQ(place.inside(options, {"file", "secret"}).out.find("GIF"), std::string::npos);
}

TEST(Programs, XmllintFollowsNothingThatItMayNotRead) {
  TORNO_NEEDS("xmllint");
  Workplace place;
  place.write("page.xml", "<page><title>Hello</title></page>\n");
  place.write("broken.xml", "<page><title></page>\n");
  place.write("secret", "the secret of another");
  place.write("hostile.xml",
              "<!DOCTYPE page [<!ENTITY other SYSTEM \"secret\">]>\n"
              "<page>&other;</page>\n");
  const Words options = {"--policy", "xmllint",    "--read", "page.xml",
                         "--read",   "broken.xml", "--read", "hostile.xml"};
  place.expect_same_by_both(options, {"xmllint", "--format", "page.xml"});
  place.expect_same_by_both(options, {"xmllint", "--xpath", "string(//title)", "page.xml"});
  const Words broken = {"xmllint", "--noout", "broken.xml"};
  EXPECT_EQ(place.inside(options, broken), place.outside(broken));

  const Words hostile = {"xmllint", "--noent", "hostile.xml"};
  EXPECT_NE(place.outside(hostile).out.find("the secret of another"), std::string::npos);
  const Outcome confined = place.inside(options, hostile);
  EXPECT_EQ(confined.out.find("the secret of another"), std::string::npos);
}

}  // namespace
}  // namespace torno::programs
