{{ cleaned_participations(is_known()) }}
