{{ cleaned_participations(was_known()) }}
