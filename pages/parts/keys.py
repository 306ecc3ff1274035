"""Every session key of the pages. Session state holds ids and widget values, never results."""


class Keys:
    PROFILE = "profile"
    QUESTION = "question"
    PENDING = "pending_question"  # asked as soon as the Literature page opens
    YEAR_FROM = "filter_year_from"
    YEAR_TO = "filter_year_to"
    STUDY_TYPES = "filter_study_types"
    JOURNALS = "filter_journals"
    MESH = "filter_mesh"
    COLLECTIONS = "filter_collections"
    FILTERS_OF = "filters_of_profile"
    MODEL = "literature_model"
    MODEL_OF = "model_of_profile"
    EVIDENCE = "evidence_count"
    READERS = "literature_readers"
    LIBRARY_TEXT = "library_text"
    LIBRARY_PAGE = "library_page"
    JOBS_SEEN = "jobs_seen"
    NOTE = "note"
    TASK = "sequence_task"
    RECORDS = "sequence_records"
    EEG_PART = "eeg_part"
    DEMO_JOB = "demo_job"  # started by this session and not yet opened
    EXPORT_JOB = "export_job"
