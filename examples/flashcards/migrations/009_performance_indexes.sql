-- The indexes of the guide. That on words is unique, so that a list may be imported again.

-- up
CREATE UNIQUE INDEX "idx_flashcards_word" ON "flashcards" ("word");
CREATE INDEX "idx_flashcards_difficulty" ON "flashcards" ("difficulty");
CREATE INDEX "idx_flashcards_processed_created" ON "flashcards" ("is_processed", "created_at");
CREATE INDEX "idx_flashcards_stage1_processed" ON "flashcards" ("stage1_processed", "created_at")
  WHERE stage1_processed = 0;

-- down
DROP INDEX "idx_flashcards_stage1_processed";
DROP INDEX "idx_flashcards_processed_created";
DROP INDEX "idx_flashcards_difficulty";
DROP INDEX "idx_flashcards_word";
