-- The deck, without the indexes of 009.

-- up
CREATE TABLE "flashcards" (
  "id" INTEGER NOT NULL,
  "word" TEXT NOT NULL,
  "word_type" TEXT NOT NULL DEFAULT (''),
  "difficulty" INTEGER NOT NULL DEFAULT (1),
  "translation" TEXT,
  "pronunciation" TEXT,
  "example" TEXT,
  "example_translation" TEXT,
  "hint" TEXT,
  "problem" TEXT,
  "stage1_processed" INTEGER NOT NULL DEFAULT (0),
  "is_processed" INTEGER NOT NULL DEFAULT (0),
  "created_at" INTEGER NOT NULL DEFAULT (CAST(round(unixepoch('subsec') * 1000) AS INTEGER)),
  PRIMARY KEY ("id"),
  CONSTRAINT "ck_flashcards_word" CHECK (length("word") >= 1 AND length("word") <= 100),
  CONSTRAINT "ck_flashcards_difficulty" CHECK ("difficulty" >= 1 AND "difficulty" <= 6),
  CONSTRAINT "ck_flashcards_stage1_processed" CHECK ("stage1_processed" IN (0, 1)),
  CONSTRAINT "ck_flashcards_is_processed" CHECK ("is_processed" IN (0, 1))
) STRICT;

-- down
DROP TABLE "flashcards";
